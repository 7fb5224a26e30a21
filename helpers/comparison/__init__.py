"""The comparison: its rules (`protocol`), a scanner's noise (`scanner`), stored results (`results`; of several seeds,
`seeds`), tables (`tables`), and model observers, who see what PSNR does not (`observer`).

Commands of their own, `python -m helpers.comparison.NAME`, are not imported here: how well spots are detected
(`detection`), what skip connections and residual learning are worth (`ablation`), training without clean images
(`without_clean`), the Noise2Void of others (`peer`), both on the scans of `noisy_scans`, and a network that goes on
learning on one scan (`adaptation`).
"""

from .observer import (
    detectability,
    detectability_interval,
    dog_channels,
    gaussian_spot,
    hotelling,
    matched_filter,
)
from .protocol import (
    DERIVED,
    STD,
    STDS,
    TUNING_SLICES,
    all_methods,
    compare,
    derived,
    do_nothing,
    filters,
    measure,
    networks,
    noisy_copies,
    summarise,
    tune_filters,
)
from .results import OVERLAP, RESULTS, SCANNER, TRANSFER, machine, read_results
from .scanner import (
    OVERLAP_METHODS,
    OVERLAPPING,
    SCANS,
    Scan,
    compare_scan,
    scan_copies,
    scan_noise,
    scan_spectra,
    told,
)
from .seeds import means_of_seeds
from .tables import (
    detection_table,
    lead_table,
    markdown_table,
    parameters_as_text,
    quality_table,
    rmse_hu,
    scan_table,
    search_table,
    transfer_table,
)
