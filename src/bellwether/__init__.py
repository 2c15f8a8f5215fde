"""Bellwether: an auditable AI investment desk."""
