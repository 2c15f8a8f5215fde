"""What the desk raises an alarm for, one module a subject."""
