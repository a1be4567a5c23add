"""Microsoft Entra ID as far as a mail client meets it: sign-in, consent, tokens and every way they fail."""
