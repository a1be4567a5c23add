"""The drop box (product.md SE12): a secret address per member, and mail that reaches it filed on the right records.

``session``     SMTP and LMTP: who comes, for whom, and the text, in chunks
``reception``   who may write to which address; raw text on disk and a row, committed, before it is acknowledged
``filing``      what was taken goes into the mirror of mail, by the one way all mail takes, or waits where people see it
    ``mime``, ``letter``   the text read as a message
    ``forwards``           written, forwarded in the text, forwarded as an attachment, redirected
    ``verdicts``           is it really from its sender
"""
