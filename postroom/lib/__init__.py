"""Things with no models and no domain: delete the product and they would still make sense."""
