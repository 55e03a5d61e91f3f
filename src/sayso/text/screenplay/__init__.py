"""Film scripts: text, Fountain, HTML and PDF as elements."""
