"""The catalogue's pages: each view reads through selectors or calls one service, and renders a template."""
