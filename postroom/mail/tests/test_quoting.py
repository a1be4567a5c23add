from datetime import UTC, datetime

from postroom.mail.quoting import with_quote
from postroom.providers.contract import Address, RemoteBody, RemoteMessage

ANSWERED = RemoteMessage(
    id="1",
    subject="Terms <2027>",
    from_=Address("ines@contoso.example", "Ines & Co"),
    to=(Address("adele@northwind.example", "Adele"),),
    sent=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    body=RemoteBody(
        "html", "<html><head><style>p{}</style></head><body><p>Hi Adele</p><script>x()</script></body></html>"
    ),
)


def test_a_reply_quotes_the_content_and_names_its_author() -> None:
    html = with_quote("<p>Yes</p>", ANSWERED, how="reply")
    assert html.startswith("<p>Yes</p>")
    assert "On 02 Nov 2026 at 09:30 UTC, Ines &amp; Co &lt;ines@contoso.example&gt; wrote:" in html
    assert "<blockquote" in html and "<p>Hi Adele</p>" in html
    assert "script" not in html and "style>" not in html


def test_a_forward_tells_the_header_and_does_not_indent() -> None:
    html = with_quote("", ANSWERED, how="forward")
    assert "<b>Subject:</b> Terms &lt;2027&gt;" in html
    assert "<b>To:</b> Adele &lt;adele@northwind.example&gt;" in html
    assert "<blockquote" not in html


def test_plain_text_is_quoted_as_written() -> None:
    answered = RemoteMessage(id="1", body=RemoteBody("text", "a < b\n  c"))
    assert "a &lt; b\n  c" in with_quote("", answered, how="reply")


def test_without_a_body_there_is_nothing_to_quote() -> None:
    assert with_quote("<p>x</p>", RemoteMessage(id="1"), how="reply") == "<p>x</p>"
