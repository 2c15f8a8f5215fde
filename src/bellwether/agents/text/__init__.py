"""The project's own sentiment text model: what a sentence says about one company, read in-process."""

from bellwether.agents.text.model import Label, Reading, SentimentModel, Word

__all__ = ["Label", "Reading", "SentimentModel", "Word"]
