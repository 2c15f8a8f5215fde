"""The project's own sentiment text model: what a sentence says about one company, in-process and free of
charge.
"""

from bellwether.agents.text.model import Label, Reading, SentimentModel, Word

__all__ = ["Label", "Reading", "SentimentModel", "Word"]
