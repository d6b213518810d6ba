"""From the bytes of an image to categories, scale and features. No Django in here: it runs in workers, tests and training alike."""
