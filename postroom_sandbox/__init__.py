"""A faithful local Microsoft 365: Entra sign-in, tokens and Microsoft Graph mail, with faults on demand."""
