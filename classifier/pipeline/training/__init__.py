"""Training of models: from labelled images to a release with its report. Run by `manage.py classifier_train`, never by the site."""
