"""Charts: Altair specifications drawn as SVG on the server. Colours are variables of the page's style sheet."""
