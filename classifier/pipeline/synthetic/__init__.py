"""Images that resemble those of electron microscopes, with known truth: for tests, the demonstration and its model.

The same random generator gives the same image (where the same fonts are installed, which only banners use). What a model
reaches on them shows that code runs and learns; it says nothing of images that were measured.
"""

from classifier.pipeline.synthetic.files import write_files
from classifier.pipeline.synthetic.images import STYLES, SyntheticImage, Truth, make_image
from classifier.pipeline.synthetic.nffa import NffaTree, write_nffa_tree
from classifier.pipeline.synthetic.pictures import make_picture

__all__ = [
    "STYLES",
    "NffaTree",
    "SyntheticImage",
    "Truth",
    "make_image",
    "make_picture",
    "write_files",
    "write_nffa_tree",
]
