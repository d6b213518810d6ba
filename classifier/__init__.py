"""The SEM classifier: the only package that may import tensorflow, keras and pytesseract. Its pipeline comes later."""
