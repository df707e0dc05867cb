def test_healthz_answers_200_when_ready(api):
    answer = api.get("/healthz")
    assert isinstance(answer.ok, dict)
