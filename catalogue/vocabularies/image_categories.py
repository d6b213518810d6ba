"""The ten categories of what an SEM image shows, as published with the SEM data set of NFFA-EUROPE
(Aversa, R. et al., Scientific Data 5, 180172, 2018, doi:10.1038/sdata.2018.172)."""

IMAGE_CATEGORIES = (
    "Biological",
    "Fibres",
    "Films and coated surfaces",
    "MEMS devices and electrodes",
    "Nanowires",
    "Particles",
    "Patterned surfaces",
    "Porous sponges",
    "Powders",
    "Tips",
)
