"""NeXus and other HDF5 files: meaning by the NX_class attribute, with any application definition or none.

Also NXcanSAS files that carry only canSAS_class, and plain HDF5 whose groups are called "instrument", "sample" ...
Safe access is in hdf5.py, the preview in hdf5_preview.py, Velox and NCEM files in emd.py.
"""

from __future__ import annotations

import re
from typing import Any

import h5py
import numpy as np

from catalogue.extraction import emd, hdf5, hdf5_preview, text
from catalogue.extraction.draft import Draft
from catalogue.extraction.model import UnreadableFile
from catalogue.extraction.nexus_names import (
    CLASS_BY_NAME,
    INSTRUMENT_WORDS,
    STANDARD_BY_FIELD,
    TECHNIQUES_BY_DEFINITION,
)
from catalogue.extraction.source import SourceFile

_BOOKKEEPING = {"NX_class", "canSAS_class", "default", "signal", "axes", "target", "HDF5_Version", "h5py_version"}
_SIGNAL_NAMES = ("data", "I", "counts", "intensity")


def read(source: SourceFile, draft: Draft) -> None:
    """Fill the draft from an HDF5 file. Raises UnreadableFile when HDF5 cannot open it."""
    try:
        with source.open() as stream, h5py.File(stream, "r") as file:
            if emd.is_emd(file):
                emd.read(file, draft)
            else:
                _Reading(file, draft).run()
    except (OSError, RuntimeError, KeyError) as error:
        raise UnreadableFile(
            "hdf5-unreadable", "The HDF5 file cannot be opened: it is cut off, damaged, or still being written."
        ) from error


class _Reading:
    """One pass over a file: parameters on the way, candidates for the preview collected."""

    def __init__(self, file: h5py.File, draft: Draft) -> None:
        self.file = file
        self.draft = draft
        self.classes: dict[str, str] = {"": "NXroot"}
        self.data_groups: list[h5py.Group] = []
        self.largest: dict[int, h5py.Dataset] = {}
        self.definitions: list[str] = []

    def run(self) -> None:
        self._read_attributes("", self.file)
        for path, node in hdf5.walk(self.file, self.draft):
            if isinstance(node, h5py.Group):
                self._visit_group(path, node)
            else:
                self._visit_dataset(path, node)
        is_nexus = any(name.startswith("NX") for name in self.classes.values() if name != "NXroot")
        definition = self.definitions[0] if self.definitions else ""
        if is_nexus:
            label = f"NeXus ({definition})" if definition else "NeXus"
            self.draft.identify("nexus", label, "application/x-hdf5")
        self._find_techniques()
        self._preview()

    def _visit_group(self, path: str, group: h5py.Group) -> None:
        name = path.rpartition("/")[2]
        nx_class = hdf5.attribute_text(group, "NX_class")
        if not nx_class:
            sas_class = hdf5.attribute_text(group, "canSAS_class")
            nx_class = sas_class.replace("SAS", "NX", 1) if sas_class else CLASS_BY_NAME.get(name.lower(), "")
        self.classes[path] = nx_class
        if nx_class == "NXdata":
            self.data_groups.append(group)
        if nx_class in {"NXentry", "NXsubentry"}:
            self._read_attributes(path, group)

    def _visit_dataset(self, path: str, dataset: h5py.Dataset) -> None:
        parent, _, name = path.rpartition("/")
        is_wanted = (self.classes.get(parent, ""), name) in STANDARD_BY_FIELD or not self.draft.is_full()
        value = hdf5.small_value(dataset) if is_wanted else None
        if value is not None:
            self._add(parent, name, dataset, value)
        elif dataset.dtype.kind in "biufc" and dataset.size and hdf5.is_self_contained(dataset):
            rank = min(sum(n > 1 for n in dataset.shape), 2)
            known = self.largest.get(rank)
            if known is None or dataset.size > known.size:
                self.largest[rank] = dataset

    def _add(self, parent: str, name: str, dataset: h5py.Dataset, value: Any) -> None:
        nx_class = self.classes.get(parent, "")
        if hdf5.as_text(value):
            value = hdf5.as_text(value)
        if name == "definition" and isinstance(value, str):
            self.definitions.append(value)
        standard = STANDARD_BY_FIELD.get((nx_class, name))
        if standard is not None and self._add_standard(standard, dataset, value):
            return
        unit = text.unit(hdf5.attribute_text(dataset, "units"))
        group = f"nexus/{parent}".rstrip("/")
        self.draft.vendor(group, name.strip(), value, unit, personal=nx_class == "NXuser")

    def _add_standard(self, standard: str, dataset: h5py.Dataset, value: Any) -> bool:
        unit = text.unit(hdf5.attribute_text(dataset, "units"), is_wavelength=standard == "wavelength")
        if standard in {"start_time", "end_time"}:
            value = text.iso_moment(value) if isinstance(value, str) else None
        if isinstance(value, np.ndarray):
            value = value.ravel()[0] if value.size == 1 else None
        if not self.draft.standard(standard, value, unit):
            return False
        if standard == "start_time":
            self.draft.acquired(value)
        elif standard == "title":
            self.draft.title_hint = str(value)
        elif standard == "sample_name":
            self.draft.sample_hint = str(value)
        elif standard == "instrument_name":
            self.draft.instrument_model = str(value)
        return True

    def _read_attributes(self, path: str, group: h5py.Group) -> None:
        found = hdf5.attributes(group)
        for name, value in found.items():
            if name not in _BOOKKEEPING:
                self.draft.vendor(f"nexus/{path}".rstrip("/"), f"@{name}", value)
        if not path:
            self.written_at = text.iso_moment(hdf5.as_text(found.get("file_time", found.get("timestamp", ""))))

    def _find_techniques(self) -> None:
        if not self.draft.has("date_time"):
            self.draft.acquired(self.written_at)
        is_neutron = any("neutron" in str(p.value).lower() for p in self._known("probe", "source_type", "radiation"))
        for definition in self.definitions:
            keys = TECHNIQUES_BY_DEFINITION.get(definition, ())
            self.draft.technique(*("SANS" if key == "SAXS" and is_neutron else key for key in keys))
        for parameter in self._known("instrument_name", "title"):
            for word, key in INSTRUMENT_WORDS.items():
                if re.search(rf"(?<![A-Za-z]){word}(?![A-Za-z])", str(parameter.value)):
                    self.draft.technique(key)

    def _known(self, *names: str) -> list[Any]:
        return [parameter for parameter in self.draft.build().parameters if parameter.name in names]

    def _preview(self) -> None:
        group, dataset = self._default_signal()
        for candidate in (dataset, self.largest.get(2), self.largest.get(1)):
            if candidate is None or candidate.size is None or candidate.size < 2:
                continue
            group = group if candidate is dataset else None
            self.draft.dimensions = tuple(int(n) for n in candidate.shape)
            is_spectrum, positions = self._axes(group, candidate)
            if hdf5_preview.draw(candidate, self.draft, is_spectrum=is_spectrum, positions=positions):
                return

    def _default_signal(self) -> tuple[h5py.Group | None, h5py.Dataset | None]:
        """The signal that the file itself calls its default, else that of the first NXdata group with one."""
        here: Any = self.file
        for _ in range(6):
            default = hdf5.attribute_text(here, "default")
            following = hdf5.resolve(self.file, default, here) if default else None
            if not isinstance(following, h5py.Group):
                break
            here = following
        for group in [here, *self.data_groups]:
            dataset = self._signal_of(group)
            if dataset is not None and dataset.size is not None and dataset.size > 1:
                return group, dataset
        return None, None

    def _signal_of(self, group: h5py.Group) -> h5py.Dataset | None:
        named = hdf5.attribute_text(group, "signal")
        for name in (named, *_SIGNAL_NAMES) if named or group in self.data_groups else ():
            found = hdf5.resolve(self.file, name, group) if name and not name.isdigit() else None
            if isinstance(found, h5py.Dataset) and found.dtype.kind in "biufc":
                return found
        return None

    def _axes(self, group: h5py.Group | None, dataset: h5py.Dataset) -> tuple[bool, Any]:
        """Whether the last axis is an energy or angle (then a line says more than a frame), and its positions."""
        interpretation = hdf5.attribute_text(dataset, "interpretation")
        axes = hdf5.attributes(group).get("axes") if group is not None else None
        names = [hdf5.as_text(axis) for axis in np.atleast_1d(axes)] if axes is not None else []
        if len(names) == 1:
            names = re.split(r"[,:\s]+", names[0])
        last = names[-1] if names else ""
        is_spectrum = interpretation == "spectrum" or (dataset.ndim > 2 and last.lower() in {"energy", "two_theta"})
        positions = hdf5.resolve(self.file, last, group) if last and group is not None else None
        return is_spectrum, positions
