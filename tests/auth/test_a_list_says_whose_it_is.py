"""Where callers are known they need not say who they are, and learn it from their list."""


def test_without_a_name(site):
    if not site.verifies:
        return
    ann = site.person("ann")
    assert site.api.request("GET", "/conversations", None, site.credentials(ann.name, False)).ok["username"] == ann.name


def test_with_a_name(site):
    ann = site.person("ann")
    answer = site.api.request("GET", f"/conversations?username={ann.name}", None, site.credentials(ann.name, False))
    assert answer.ok["username"] == ann.name
