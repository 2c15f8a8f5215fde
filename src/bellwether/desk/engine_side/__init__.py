"""What runs inside the engine's own environment, around the engine.

Nothing here may import bellwether or its dependencies: the engine pins its own versions of what it needs
and is started from a separate virtual environment. Only the standard library, ministack and what ministack
brings (hypercorn, botocore) are importable.
"""
