"""Ways in: the form, a draft, a letter; and taking back."""
