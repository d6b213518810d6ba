"""The demonstration's files are what they claim to be: genuine layouts, one plan, plainly synthetic, always the same."""

import hashlib
import time
from datetime import UTC, date, datetime, timedelta

import h5py
import mrcfile
import numpy as np
import pytest
import tifffile
from PIL import Image

from catalogue.demo.generate import DemoFile, make_demo_files
from catalogue.demo.microscope_files import nice_length
from catalogue.demo.pictures import PICTURES
from catalogue.demo.plan import DATASETS, FACILITIES, INSTRUMENTS, INVESTIGATIONS, PEOPLE
from catalogue.identifiers import is_valid_orcid
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS, read_own_table

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[DemoFile]:
    return make_demo_files(tmp_path_factory.mktemp("demo"), today=TODAY)


def one(files: list[DemoFile], name: str) -> DemoFile:
    return next(file for file in files if file.path.name == name)


def made_by(files: list[DemoFile], instrument: str, suffix: str) -> list[DemoFile]:
    found = [file for file in files if file.instrument == instrument and file.path.suffix == suffix]
    assert found
    return found


def test_the_demo_is_about_forty_files_of_some_twenty_megabytes(files):
    assert 35 <= len(files) <= 50
    assert sum(file.path.stat().st_size for file in files) < 25_000_000


def test_files_lie_by_instrument_and_visit(files):
    for file in files:
        assert file.path.parent.parts[-2:] == (file.instrument, file.investigation)


def digests(files: list[DemoFile]) -> dict[str, str]:
    return {file.path.name: hashlib.sha256(file.path.read_bytes()).hexdigest() for file in files}


def test_the_same_seed_and_day_give_the_same_bytes_and_another_seed_others(files, tmp_path):
    time.sleep(1.1)  # a time stamp of the writing in any file would differ
    assert digests(make_demo_files(tmp_path, today=TODAY)) == digests(files)
    others = digests(make_demo_files(tmp_path, today=TODAY, seed=1))
    assert others["ZnO-04_detail.tif"] != digests(files)["ZnO-04_detail.tif"]


def test_every_tiff_and_side_car_says_that_it_is_synthetic(files):
    for file in files:
        if file.path.suffix == ".tif":
            with tifffile.TiffFile(file.path) as tiff:
                assert "SYNTHETIC" in tiff.pages[0].description
        elif file.path.suffix in {".txt", ".hdr", ".spec"}:
            assert "SYNTHETIC" in file.path.read_text()


def test_every_nexus_and_mrc_file_says_that_it_is_synthetic(files):
    for file in files:
        if file.path.suffix in {".nxs", ".h5"}:
            with h5py.File(file.path) as nexus:
                assert nexus["entry/title"].asstr()[()].startswith("SYNTHETIC")
                assert "no real measurement" in nexus.attrs["synthetic"]
        elif file.path.suffix == ".mrc":
            with mrcfile.open(file.path) as mrc:
                assert mrc.header.label[0].startswith(b"SYNTHETIC")


def test_zeiss_files_have_the_tag_that_tifffile_parses_and_a_grey_palette(files):
    for file in made_by(files, "nanolab-supra", ".tif"):
        with tifffile.TiffFile(file.path) as tiff:
            page, metadata = tiff.pages[0], tiff.sem_metadata
            assert page.shape == (768, 1024)
            assert page.photometric.name == "PALETTE"
            assert (page.colormap == np.arange(256) * 257).all()
        assert metadata["ap_actualkv"] == ("EHT", 5.0, "kV")
        assert metadata["ap_mag"][1].endswith("K X")
        width, unit = metadata["ap_width"][1:]
        pixel, pixel_unit = metadata["ap_image_pixel_size"][1:]
        to_nm = {"nm": 1, "µm": 1000, "pm": 0.001}
        assert pixel * to_nm[pixel_unit] * 1024 == pytest.approx(width * to_nm[unit], rel=1e-3)
        assert metadata[""][3] * 1e9 == pytest.approx(pixel * to_nm[pixel_unit], rel=1e-3)
        assert file.acquired_at.strftime("%d %b %Y %H:%M:%S") == f"{metadata['ap_date'][1]} {metadata['ap_time'][1]}"


def test_fei_files_have_the_tag_that_tifffile_parses_with_the_banner_height(files):
    for file in made_by(files, "nanolab-helios", ".tif"):
        with tifffile.TiffFile(file.path) as tiff:
            metadata, shape = tiff.fei_metadata, tiff.pages[0].shape
        assert shape[0] == metadata["Image"]["ResolutionY"] + metadata["PrivateFei"]["DatabarHeight"]
        assert metadata["EBeam"]["HFW"] == pytest.approx(metadata["EScan"]["PixelWidth"] * shape[1], rel=1e-4)
        assert metadata["EBeam"]["HV"] == 2000
        assert metadata["EBeam"]["EmissionCurrent"] == ""
        taken = datetime.strptime(metadata["PrivateFei"]["TimeOfCreation"], "%d.%m.%Y %H:%M:%S")
        assert taken == file.acquired_at.replace(tzinfo=None)


def test_tescan_files_carry_their_tag_or_a_side_car(files):
    tagged, bare = [], []
    for file in made_by(files, "nanolab-mira", ".tif"):
        with tifffile.TiffFile(file.path) as tiff:
            (tagged if 50431 in tiff.pages[0].tags else bare).append(file)
    assert tagged
    with tifffile.TiffFile(tagged[0].path) as tiff:
        assert b"[MAIN]\r\n" in bytes(tiff.pages[0].tags[50431].value)
    assert {f"{file.path.stem}-tif.hdr" for file in bare} == {
        file.path.name for file in made_by(files, "nanolab-mira", ".hdr")
    }


def test_jeol_pictures_have_a_side_car_whose_scale_fits_the_drawn_bar(files):
    for file in made_by(files, "nanolab-jsm", ".txt"):
        lines = dict(line.lstrip("$").split(" ", 1) for line in file.path.read_text().splitlines() if " " in line)
        image = np.asarray(Image.open(file.path.with_suffix(".tif")))
        width, height = (int(number) for number in lines["CM_FULL_SIZE"].split())
        assert image.shape[1] == width
        banner = image[height:]
        longest_bar = max(int((row == 255).sum()) for row in banner)
        fits = longest_bar == pytest.approx(int(lines["SM_MICRON_BAR"]), abs=1)
        assert fits != ("claimed_field_of_view" in options_of(file))


def options_of(file: DemoFile) -> dict[str, object]:
    return dict(next(plan.options for plan in DATASETS if plan.key == file.dataset))


def test_two_datasets_have_metadata_of_another_scale_on_purpose_and_their_titles_say_so(files):
    wrong = [file for file in files if "claimed_field_of_view" in options_of(file)]
    assert {file.instrument for file in wrong} == {"nanolab-supra", "nanolab-jsm"}
    assert all("with the metadata" in file.title or "with the side-car" in file.title for file in wrong)
    with tifffile.TiffFile(one(files, "ZnO-04_copied_tag.tif").path) as tiff:
        _, value, unit = tiff.sem_metadata["ap_width"]
    assert (value, unit) == (6.1, "µm"), "twice the width of the picture"


def test_the_banner_of_a_picture_holds_light_text_on_black(files):
    image = np.asarray(Image.open(one(files, "sponge_section01.tif").path))
    banner = image[884:]
    assert (banner == 0).mean() > 0.8
    assert (banner == 255).sum() > 200


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_uses_its_grey_values_and_is_no_flat_field(name):
    picture = PICTURES[name](np.random.default_rng(3), (240, 320))
    assert picture.shape == (240, 320)
    assert 0 <= picture.min()
    assert picture.max() <= 1
    assert picture.std() > 0.05


@pytest.mark.parametrize(
    ("name", "definition", "paths"),
    [
        (
            "PS-PEO-12_25C.nxs",
            "NXsas",
            ["instrument/detector/x_pixel_size", "instrument/collimator/geometry/shape/size"],
        ),
        ("PS-PEO-12_25C_reduced.h5", "NXcanSAS", ["sasdata01/I", "sasdata01/Q", "sasdata01/Idev", "sassample/name"]),
        ("Bone-A_tomo.nxs", "NXtomo", ["instrument/detector/image_key", "sample/rotation_angle", "data/data"]),
        ("Bone-A_fluo.nxs", "NXfluo", ["instrument/fluorescence/energy", "monitor/data", "data/Ca_K"]),
        ("HEWL-1_run1.nxs", "NXmx", ["instrument/detector/distance", "sample/transformations/omega", "data/data"]),
    ],
)
def test_nexus_files_have_the_structure_of_their_definition(files, name, definition, paths):
    with h5py.File(one(files, name).path) as nexus:
        entry = nexus["entry"]
        assert entry.attrs["NX_class"] == "NXentry"
        assert entry["definition"].asstr()[()] == definition
        assert all(path in entry for path in paths)
        assert entry["instrument/monochromator/energy"].attrs["units"] == "keV"
        signal = nexus[nexus.attrs["default"]]
        signal = signal[signal.attrs.get("default", "data")]
        assert signal.attrs["NX_class"] == "NXdata"
        assert signal.attrs["signal"] in signal


def test_the_tomogram_has_flat_dark_and_projection_frames(files):
    with h5py.File(one(files, "Bone-A_tomo.nxs").path) as nexus:
        detector = nexus["entry/instrument/detector"]
        frames, keys = detector["data"][()], detector["image_key"][()]
        angles = nexus["entry/sample/rotation_angle"][()]
    assert len(frames) == len(keys) == len(angles)
    flat, dark, projection = (frames[keys == key].mean() for key in (1, 2, 0))
    assert dark < projection < flat


def test_the_scattering_pattern_masks_gaps_and_decays(files):
    with h5py.File(one(files, "PS-PEO-12_25C.nxs").path) as nexus:
        counts = nexus["entry/data/data"][()]
    assert counts.min() == -1
    assert counts[225:260, 320:340].mean() > 20 * counts[:20, :20].mean()


def test_mrc_files_tell_their_scale(files):
    with mrcfile.open(one(files, "ferritin_map.mrc").path) as mrc:
        assert mrc.data.shape == (64, 64, 64)
        assert float(mrc.voxel_size.x) == pytest.approx(2.6)
        assert mrc.is_volume()
    with mrcfile.open(one(files, "ferritin_micrograph01.mrc").path) as mrc:
        assert mrc.data.dtype == np.int16
        assert mrc.is_single_image()


def test_the_spec_file_has_three_scans_with_as_many_columns_as_labels(files):
    text = one(files, "alignment_and_edge.spec").path.read_text()
    scans = text.split("#S ")[1:]
    assert [scan.split()[1] for scan in scans] == ["ascan", "ascan", "timescan"]
    for scan in scans:
        labels = next(line for line in scan.splitlines() if line.startswith("#L"))[3:].split("  ")
        rows = [line.split() for line in scan.splitlines()[1:] if line and not line.startswith("#")]
        assert len(rows) >= 30
        assert {len(row) for row in rows} == {len(labels)}


def test_every_file_refers_to_things_of_the_plan(files):
    datasets = {dataset.key: dataset for dataset in DATASETS}
    investigations = {investigation.visit_id: investigation for investigation in INVESTIGATIONS}
    iris = {term.iri for term in read_own_table()}
    assert {file.dataset for file in files} == set(datasets)
    for file in files:
        investigation = investigations[file.investigation]
        assert file.instrument == investigation.instrument
        assert file.sample in {sample.name for sample in investigation.samples}
        assert file.kind == ("processed" if file.derived_from else "raw")
        assert not file.derived_from or datasets[file.derived_from].investigation == file.investigation
        assert set(file.technique_iris) <= iris
        entry = investigation.entry(TODAY)
        assert entry.started_at <= file.acquired_at.astimezone(UTC) <= entry.ended_at
        assert file.title


def test_the_plan_is_consistent():
    instruments = {instrument.short_name: instrument for instrument in INSTRUMENTS}
    assert {instrument.facility for instrument in INSTRUMENTS} == {facility.short_name for facility in FACILITIES}
    assert {investigation.instrument for investigation in INVESTIGATIONS} == set(instruments)
    assert all(key in TECHNIQUE_KEYS for instrument in INSTRUMENTS for key in instrument.techniques)
    for investigation in INVESTIGATIONS:
        assert [member.role for member in investigation.team].count("pi") == 1
        names = [(member.family_name, member.given_name) for member in investigation.team]
        assert len(set(names)) == len(names)


def test_people_are_fictional_with_valid_orcids_outside_of_the_blocks_that_are_given_out():
    assert all(is_valid_orcid(person.orcid) for person in PEOPLE)
    assert len({person.orcid for person in PEOPLE}) == len(PEOPLE)
    assert {person.orcid[:9] for person in PEOPLE if person.family_name != "Carberry"} == {"0000-0005"}


def test_some_investigations_are_past_their_embargo_some_under_it_some_released_early():
    three_years = timedelta(days=1096)
    age = {item.visit_id: timedelta(days=item.days_ago) for item in INVESTIGATIONS}
    past = [visit for visit in age if age[visit] > three_years]
    released = [item.visit_id for item in INVESTIGATIONS if item.is_released_early]
    under = [visit for visit in age if age[visit] < three_years and visit not in released]
    assert len(past) >= 2
    assert len(under) >= 2
    assert len(released) >= 1
    assert not set(past) & set(released)


@pytest.mark.parametrize(("field", "bar"), [(2.4e-6, 5e-7), (8e-6, 2e-6), (1e-6, 2e-7), (4e-6, 1e-6), (2.6e-4, 5e-5)])
def test_scale_bars_are_round_numbers_within_a_quarter_of_the_picture(field, bar):
    assert nice_length(field) == pytest.approx(bar)
