"""The doctor (product.md AD7): one set of checks for `postroom doctor` and for the page in Settings."""
