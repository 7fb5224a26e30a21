"""Real images: MNIST digits, chest CT, folders of your own, and the noise of their scans."""

from ..hounsfield import HU_HIGH, HU_LOW, window
from .banks import ct_noise_bank, ct_sinograms
from .files import load_dicom, load_images, load_nifti
from .samples import CT_MEMBERS, CT_PIXEL_MM, load_ct, load_ct_hu, load_fashion_mnist, load_mnist
from .transfer import load_transfer
from .wheels import CACHE_VARIABLE, cache_folder
