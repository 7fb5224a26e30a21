"""Shared code of the notebooks.

The modules stand on floors, and a module imports only from floors below its own. Within a folder, a
module imports only from those that stand to the left of it::

    floor 5  __main__
    floor 4  comparison (observer tables results seeds protocol scanner ablation detection noisy_scans without_clean peer adaptation __main__)  scans (stream spool grid nifti itk pictures voxels derived dicom zipped sources journal preview run archive)
    floor 3  training (distributed loop losses pairs scanner selfsupervised recorruption recipes weights __main__)
    floor 2  models (networks denoisers wrappers blind_spot pretrained)  plotting (canvas images labelled charts scores distributions)
    floor 1  data (wheels frames series files samples patches transfer banks)  baselines (registry filters block_matching tuning)
    floor 0  noise (images tissue projections spectrum)  metrics  contract  _keras
    ground   checks  progress  replaced  quiet  hounsfield

Only models, training, comparison and scans import Keras; data does so where a loader goes through keras.datasets.
"""

__version__ = "0.1.0"
