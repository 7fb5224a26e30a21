"""A CT series that the tests of scans write themselves."""

import gdcm
import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

HEIGHT, WIDTH = 24, 40


def image_file(index=0, *, series="1.2.3.4", hu=None, **attributes):
    """One CT slice as a dataset; `attributes` replace what is usual, None leaves one out."""
    if hu is None:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        hu = -900 + 30 * index + 20 * y + 10 * x
        hu[:2], hu[-2:] = -1024, 1500  # beyond the window
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.MediaStorageSOPClassUID = uid.CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = f"{series}.{index + 1}"
    file.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    file.SOPClassUID, file.SOPInstanceUID = uid.CTImageStorage, f"{series}.{index + 1}"
    file.StudyInstanceUID, file.SeriesInstanceUID = "1.2.3", series
    file.FrameOfReferenceUID = "1.2.3.9"
    file.PatientName, file.PatientID = "Somebody^Secret", "4711"
    file.Modality, file.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    file.SeriesDescription, file.SeriesNumber, file.InstanceNumber = "lung", 3, index + 1
    file.InstanceCreationDate, file.StudyDate = "20200101", "20200101"
    file.Rows, file.Columns = hu.shape
    file.PixelSpacing, file.SliceThickness = [0.9, 0.9], 2.5
    file.ImagePositionPatient = [0, 0, 2.5 * index]
    file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.RescaleSlope, file.RescaleIntercept = 1, -1024
    file.SmallestImagePixelValue, file.LargestImagePixelValue = 0, 4095
    file.PixelData = np.rint(hu + 1024).astype("<u2").tobytes()
    for name, value in attributes.items():
        if value is None:
            del file[name]
        else:
            setattr(file, name, value)
    return file


def frames_file(count):
    """An enhanced file: what all frames share, and what each has; frames lie from the head to the feet."""
    slices = [image_file(number) for number in range(count)]
    file, shared, frames = slices[0], Dataset(), []
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = uid.EnhancedCTImageStorage
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [0.5, 0.6]
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    for number in range(count):
        frame = Dataset()
        frame.PlanePositionSequence = [Dataset()]
        frame.PlanePositionSequence[0].ImagePositionPatient = [0, 0, -number]
        frame.PixelValueTransformationSequence = [Dataset()]
        frame.PixelValueTransformationSequence[0].RescaleSlope = 1 + number
        frame.PixelValueTransformationSequence[0].RescaleIntercept = -1024
        frame.CTImageFrameTypeSequence = [Dataset()]
        frame.CTImageFrameTypeSequence[0].FrameType = ["ORIGINAL", "PRIMARY"]
        frames.append(frame)
    file.NumberOfFrames = count
    file.SharedFunctionalGroupsSequence, file.PerFrameFunctionalGroupsSequence = [shared], frames
    file.PixelData = b"".join(
        (np.frombuffer(one.PixelData, "<u2") // (1 + number)).astype("<u2").tobytes()
        for number, one in enumerate(slices)
    )
    for name in ("PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient"):
        del file[name]
    return file


def write(folder, files):
    """Write datasets into a folder, under names that tell nothing of their order."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, file in enumerate(files):
        names.append(folder / f"image{(7 * number + 3) % 97:02}.dcm")
        file.save_as(names[-1], enforce_file_format=True)
    return names


def compress(path, name):
    """Compress a file with GDCM, which pydicom's plug-in decodes with."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def contents(folder):
    """All files below a folder: {name: bytes}."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def by_place(folder):
    """The datasets below a folder, by their place along the patient."""
    files = map(pydicom.dcmread, sorted(folder.rglob("*.dcm")))
    return {float(file.ImagePositionPatient[2]): file for file in files}
