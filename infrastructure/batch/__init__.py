"""Code that runs in a batch container before the product is there: uploaded as an argument, alone."""
