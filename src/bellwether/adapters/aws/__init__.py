"""Every port on the services of the owner's account, through botocore's low-level clients."""
