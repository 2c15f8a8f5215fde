"""Code of the one function that is not the product's: it answers CloudFormation for a custom resource."""
