"""Offline replay of history through the functions the desk uses, and an honest account of it."""
