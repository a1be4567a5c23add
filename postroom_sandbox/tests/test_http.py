import pytest

from postroom_sandbox.http import ApiError, Request, Response, Route, Router, json_response, redirect


def _ok(request: Request, **params: str) -> Response:
    return json_response(params)


def test_fixed_segments_win_over_variables_and_ignore_case() -> None:
    router = Router([Route("GET", "/a/{id}", _ok), Route("GET", "/a/delta", _ok)])
    assert router.find("GET", ["A", "Delta"]).params == {}
    assert router.find("GET", ["a", "X"]).params == {"id": "X"}


def test_a_dead_end_below_a_fixed_segment_falls_back_to_the_variable() -> None:
    router = Router([Route("GET", "/a/me/x", _ok), Route("GET", "/a/{user}/y", _ok)])
    assert router.find("GET", ["a", "me", "y"]).params == {"user": "me"}


def test_a_wrong_method_names_the_right_ones() -> None:
    router = Router([Route("GET", "/a", _ok), Route("PATCH", "/a", _ok)])
    match = router.find("PUT", ["a"])
    assert match.handler is None
    assert match.allowed == ("GET", "PATCH")
    assert router.find("GET", ["b"]) is None


def test_a_rest_parameter_takes_everything_that_follows() -> None:
    router = Router([Route("GET", "/{tenant}/v2.0/{tail:rest}", _ok)])
    assert router.find("GET", ["t", "v2.0", "b", "c"]).params == {"tenant": "t", "tail": "b/c"}


def test_an_encoded_slash_stays_inside_its_segment() -> None:
    assert Request("GET", "/me/a%2Fb/c").segments == ["me", "a/b", "c"]


def test_query_keeps_the_first_of_repeated_values_and_blanks() -> None:
    assert Request("GET", "/", "a=1&a=2&b=").query == {"a": "1", "b": ""}


def test_broken_json_is_a_400_in_graphs_words() -> None:
    with pytest.raises(ApiError) as caught:
        Request("POST", "/", body=b"{").json()
    assert (caught.value.status, caught.value.code) == (400, "BadRequest")


def test_lone_surrogates_do_not_break_an_answer() -> None:
    assert json_response({"a": "x\ud800y"}).body.decode() == '{"a": "x\ufffdy"}'


def test_redirect_appends_to_an_existing_query() -> None:
    assert redirect("http://x/?a=1", {"b": "2 3"}).header("location") == "http://x/?a=1&b=2+3"
