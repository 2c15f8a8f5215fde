"""What is asked of a language model, and what of its answers is believed."""
