def test_it(api):
    answer = api.get("/healthz")
    assert isinstance(answer.ok, dict)
