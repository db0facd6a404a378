"""Muon for matrices and AdamW for the rest, as one optimiser whose state is a flat set of named tensors.

Muon (Jordan, 2024) replaces the momentum of a matrix with the nearest orthogonal matrix, computed by five
Newton-Schulz steps for all matrices of a shape together; in stacks of expert matrices, each is treated by
itself. Knows parameters and their names, no model.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch
import torch.distributed
from torch import Tensor
from torch.nn import Parameter

from recipe.processes import sums_over_processes

MUON_RATE = 10.0
"""Ratio of Muon's learning rate to AdamW's."""

_MOMENTUM = 0.95
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_NEWTON_SCHULZ_STEPS = 5
_BETAS = (0.9, 0.98)
_EPSILON = 1e-8
_LONGEST_GRADIENT = 1.0
"""Norm to which gradients are clipped."""


def suits_muon(name: str, parameter: Tensor) -> bool:
    """True for the weights of linear layers, stacked or not, except tables, gates and the last layer."""
    apart = ("embed", "rel_pos", "lm_head", "gate.weight", "head.")
    return parameter.ndim in (2, 3) and not any(word in name for word in apart)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Return (..., m, n) bfloat16 matrices with the same singular vectors and singular values near 1."""
    a, b, c = _NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = (x / (x.flatten(-2).norm(dim=-1)[..., None, None] + 1e-7)).bfloat16()
    for _ in range(_NEWTON_SCHULZ_STEPS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    result: Tensor = x.mT if tall else x
    return result


class Optimiser:
    """Steps named parameters.

    Args:
        parameters: parameters by name; those without a gradient in a step are left unchanged.
        shares: shares of the learning rate, for those that do not use all of it.
    """

    def __init__(self, parameters: Mapping[str, Parameter], shares: Mapping[str, float]) -> None:
        self._parameters = dict(parameters)
        self._shares = dict(shares)
        self._momenta: dict[str, Tensor] = {}
        self._squares: dict[str, Tensor] = {}
        self._count = 0
        for name, parameter in self._parameters.items():
            self._momenta[name] = torch.zeros_like(parameter, dtype=torch.float32)
            if not suits_muon(name, parameter):
                self._squares[name] = torch.zeros_like(parameter, dtype=torch.float32)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move all parameters against their gradients, then drop the gradients.

        Args:
            rate: AdamW's learning rate.
        """
        moving = {
            name: parameter for name, parameter in self._parameters.items() if parameter.grad is not None
        }
        torch.nn.utils.clip_grad_norm_(moving.values(), _LONGEST_GRADIENT)
        self._count += 1
        directions = self._muon_directions([name for name in moving if name not in self._squares])
        for name, parameter in moving.items():
            own_rate = rate * self._shares.get(name, 1.0)
            if name in directions:
                widening = max(1.0, parameter.shape[-2] / parameter.shape[-1]) ** 0.5
                parameter.add_(directions[name].to(parameter.dtype), alpha=-own_rate * MUON_RATE * widening)
            else:
                self._adam(name, parameter, own_rate)
            parameter.grad = None

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step depends on, except the parameters."""
        return {
            **{f"momentum:{name}": tensor for name, tensor in self._momenta.items()},
            **{f"square:{name}": tensor for name, tensor in self._squares.items()},
            "count": torch.tensor(self._count),
        }

    @torch.no_grad()
    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for kind, tensors in (("momentum", self._momenta), ("square", self._squares)):
            for name, tensor in tensors.items():
                tensor.copy_(state[f"{kind}:{name}"])
        self._count = int(state["count"])

    def _muon_directions(self, names: Sequence[str]) -> dict[str, Tensor]:
        """Compute the directions of the matrices, which are distributed over the processes, largest first."""
        processes, rank = 1, 0
        if torch.distributed.is_initialized():
            processes, rank = torch.distributed.get_world_size(), torch.distributed.get_rank()
        order = sorted(names, key=lambda name: -self._momenta[name].numel())
        own = defaultdict(list)
        for turn, name in enumerate(order):
            gradient = self._parameters[name].grad
            assert gradient is not None
            momentum = self._momenta[name].lerp_(gradient.float(), 1 - _MOMENTUM)
            if turn % processes == rank:
                own[gradient.shape].append((name, gradient.float().lerp(momentum, _MOMENTUM)))
        directions: dict[str, Tensor] = {}
        for alike in own.values():
            alike_names, wanted = zip(*alike, strict=True)
            directions |= zip(alike_names, orthogonalise(torch.stack(wanted)), strict=True)
        if processes > 1 and order:
            nothing = {name: torch.zeros_like(self._momenta[name], dtype=torch.bfloat16) for name in order}
            shared = nothing | directions  # in the same order in all processes
            directions = dict(zip(shared, sums_over_processes(list(shared.values())), strict=True))
        return directions

    def _adam(self, name: str, parameter: Parameter, rate: float) -> None:
        assert parameter.grad is not None
        gradient = parameter.grad.float()
        momentum = self._momenta[name].lerp_(gradient, 1 - _BETAS[0])
        square = self._squares[name].lerp_(gradient.square(), 1 - _BETAS[1])
        first, second = (1 - beta**self._count for beta in _BETAS)
        update = (momentum / first) / ((square / second).sqrt() + _EPSILON)
        parameter.add_(update.to(parameter.dtype), alpha=-rate)
