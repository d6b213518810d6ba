"""The ten categories of the NFFA-EUROPE SEM data set, in the order of its labels L0 to L9, and the names of its folders.

A model release names its own labels in its manifest: this list is for data of that set, and for the demonstration.
"""

from catalogue.vocabularies.image_categories import IMAGE_CATEGORIES

NAMES: tuple[str, ...] = IMAGE_CATEGORIES
FOLDERS: tuple[str, ...] = (
    "Biological",
    "Fibres",
    "Films_Coated_Surface",
    "MEMS_devices_and_electrodes",
    "Nanowires",
    "Particles",
    "Patterned_surface",
    "Porous_Sponge",
    "Powder",
    "Tips",
)
