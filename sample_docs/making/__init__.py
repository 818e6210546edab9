"""How the sample documents are made out of their sources."""
