"""What the browser asks for."""

from lxml import etree


def get_specification(env, model, view_type):
    """What the browser asks for to show the view: its fields, and those of lists within it."""
    arch = etree.fromstring(env[model].get_view(view_type=view_type)["arch"])
    return _specification_of(env, model, arch)


def _specification_of(env, model, arch):
    specification = {}
    for node in arch.iter("field"):
        if any(parent.tag == "field" for parent in _ancestors(node, arch)):
            continue
        field = env[model]._fields.get(node.get("name"))
        if field is None:
            continue
        specification[field.name] = {}
        if field.type == "many2one":
            specification[field.name] = {"fields": {"display_name": {}}}
        elif field.type in ("one2many", "many2many"):
            lists = node.findall("list")
            fields_read = _specification_of(env, field.comodel_name, lists[0]) if lists else {}
            specification[field.name] = {"fields": fields_read, "limit": 40}
    return specification


def _ancestors(node, root):
    while node is not root:
        node = node.getparent()
        yield node
