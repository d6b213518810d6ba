"""Engines that answer a neutral query. Each has one module here and gives the same answers."""
