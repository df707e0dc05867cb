"""An authenticated caller may omit their name; the list contains it."""


def test_a_list_without_a_name_is_the_callers(site):
    if not site.verifies:
        return
    ann = site.person("ann")
    assert site.api.request("GET", "/conversations", None, site.credentials(ann.name, False)).ok["username"] == ann.name


def test_a_list_with_a_name_shows_that_name(site):
    ann = site.person("ann")
    answer = site.api.request("GET", f"/conversations?username={ann.name}", None, site.credentials(ann.name, False))
    assert answer.ok["username"] == ann.name
