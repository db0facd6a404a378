"""First stage: the encoder alone learns to read small crops, supervised by dense labels."""

from dataclasses import dataclass, field, replace

from torch import Tensor, nn
from torch.utils.data import Dataset

from recipe.crops import CropBatch, CropBatches, CropPlan
from recipe.losses import dense_loss
from recipe.model import Learner, encoder_parameters
from recipe.pages import PageKind

SNIPPETS = PageKind(
    width_px=(800, 920), proportion=(1.0, 1.0), x_height_px=(8.5, 46.0), rich=0.35, damaged=0.3, blank=0.005
)
"""Small pages with all sizes of type that should be read well; four crops of each are used."""

LARGE_PRINT = replace(SNIPPETS, x_height_px=(14.0, 40.0), damaged=0.1)
"""Pages to begin with: letters that fill a patch or more."""

_LARGE_PRINT_BATCHES = 600


@dataclass(frozen=True, slots=True)
class EncoderStage:
    """The stage that trains the encoder.

    Attributes:
        plan: what the crops are cut from.
        rate: learning rate of AdamW.
        name: "encoder".
        encoder_share: the encoder's share of the learning rate.
    """

    plan: CropPlan = field(
        default_factory=lambda: CropPlan(
            SNIPPETS,
            crop_px=256,
            crops_per_page=(3, 3),
            pages_per_batch=8,
            seed=1,
            crops_kept=4,
            first_kind=LARGE_PRINT,
            first_batches=_LARGE_PRINT_BATCHES,
        )
    )
    rate: float = 2e-3
    name: str = "encoder"
    encoder_share: float = 1.0

    @property
    def items_per_batch(self) -> int:
        """Number of crops in a batch."""
        return self.plan.crops_per_batch

    @property
    def seed(self) -> int:
        """Seed of the pages."""
        return self.plan.seed

    def enlarged(self, factor: int) -> "EncoderStage":
        """Return the stage with more pages per batch, and all of their crops: drawing pages is slow."""
        if factor == 1:
            return self
        pages = self.plan.pages_per_batch * factor
        return replace(self, plan=replace(self.plan, pages_per_batch=pages, crops_kept=None))

    def seeded(self, seed: int) -> "EncoderStage":
        """Return the stage with other pages, of all sizes from the start: the encoder is trained already."""
        return replace(self, plan=replace(self.plan, seed=seed, first_batches=0))

    def batches(self, processes: int = 1) -> Dataset[CropBatch]:  # noqa: ARG002 - all batches are alike
        """Return batches of crops by number."""
        return CropBatches(self.plan)

    def parameters(self, learner: Learner) -> dict[str, nn.Parameter]:
        """Return the parameters of the encoder and the heads."""
        return encoder_parameters(learner)

    def loss(self, learner: Learner, batch: CropBatch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of the dense labels and of norms that should follow the text."""
        encoded = learner.encode(batch.views)
        return dense_loss(learner, encoded, batch.points, batch.slots, step)
