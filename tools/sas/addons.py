"""The project's addons: what they depend on and whether their files changed."""

import ast
import hashlib

from .console import Problem
from .paths import ADDON, PROJECT

# Always in the database template, whatever the manifest says.
BASE_DEPENDS = {"sale_management", "sale_stock"}
# Changes in these need no update of the addon in the database.
NOT_LOADED = {"tests", "__pycache__"}


def manifest(addon):
    path = PROJECT / addon / "__manifest__.py"
    try:
        return ast.literal_eval(path.read_text())
    except FileNotFoundError:
        raise Problem(
            f"The addon {addon} is not in {PROJECT}: call make in a full clone."
        ) from None
    except (SyntaxError, ValueError) as error:
        raise Problem(f"{addon}/__manifest__.py cannot be read ({error}): correct it.") from None


def bridges():
    """Addons of the project that join the app to another one."""
    found = PROJECT.glob(f"{ADDON}_*/__manifest__.py")
    return sorted(path.parent.name for path in found)


def depends(addons):
    """Odoo's modules that the addons need, the project's own left out."""
    own = {ADDON, *bridges()}
    needed = set(BASE_DEPENDS)
    for addon in addons:
        needed.update(manifest(addon).get("depends", []))
    return sorted(needed - own)


def fingerprint(addons):
    """Changes when a file changes that Odoo reads at an update of the addons."""
    state = hashlib.sha256()
    for addon in addons:
        folder = PROJECT / addon
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if NOT_LOADED.isdisjoint(relative.parts) and path.is_file():
                state.update(f"{addon}/{relative}\0".encode())
                state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()[:16]
