"""Pictures and tables of the documents, drawn from the synthesized templates."""
