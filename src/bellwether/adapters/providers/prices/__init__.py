"""Daily bars of market data providers, one module each; `asking` holds what they share."""
