"""The SEM classifier: what images show and how large it is. The only package that may import tensorflow, keras and pytesseract."""
