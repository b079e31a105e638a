"""The base class of the admin's forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import cached_property
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]  # only the stubs have a type parameter
else:
    _ModelForm = forms.ModelForm


class ShownField(BoundField):
    """A field that also sends the value which the form has shown.

    In a form that is shown again with an error, a field that the user has not changed has the row's present value.
    """

    def value(self) -> Any:
        is_stored = cast(ModelForm, self.form).instance.pk is not None
        is_left = is_stored and self.form.is_bound and not self.is_changed()
        return self.field.prepare_value(self.initial) if is_left else super().value()

    def as_hidden(self, attrs: Any = None, only_initial: bool = False, **kwargs: Any) -> SafeString:
        # Django would send what was entered if the field has several inputs, such as a date and a time.
        if only_initial and self.form.is_bound:
            shown = self.shown() if self.is_changed() else None
            value = self.field.prepare_value(self.initial) if shown is None else shown
            attrs = {**(attrs or {}), "id": self.html_initial_id}
            return self.field.hidden_widget().render(self.html_initial_name, value, attrs, self.form.renderer)
        return super().as_hidden(attrs, only_initial=only_initial, **kwargs)

    def shown(self) -> Any:
        """The value that the form has shown, as it was sent; None if it was not sent."""
        widget, data = self.field.hidden_widget(), (self.form.data, self.form.files, self.html_initial_name)
        return None if widget.value_omitted_from_data(*data) else widget.value_from_datadict(*data)

    def is_changed(self) -> bool:
        """Whether the value differs from the row's, and from the value that was shown if that was sent."""
        if not self.field.has_changed(self.initial, self.data):
            return False
        return self.shown() is None or self._has_changed()  # type: ignore[attr-defined]  # missing in the stubs


class ModelForm(_ModelForm):
    """A form that changes only what the user has changed.

    The row may have been changed since the form was shown: the person may have opted out, or the key may have been
    rotated. So the form also sends the values that it showed, and a field with the same value is left as it is.
    """

    bound_field_class = ShownField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = self.instance.pk is not None

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in self.fields if cast(ShownField, self[name]).is_changed()]

    def _post_clean(self) -> None:
        if self.instance.pk is not None:
            stored = {field.name for field in self.instance._meta.concrete_fields}
            for name in (stored & self.cleaned_data.keys()).difference(self.changed_data):
                self.cleaned_data[name] = getattr(self.instance, name)
        super()._post_clean()  # type: ignore[misc]  # missing in the stubs

    def _get_validation_exclusions(self) -> set[str]:
        """Also validates the workspace of a stored row, which the form only shows. Otherwise Django would leave out the
        constraints with it, such as the unique e-mails of a workspace."""
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # missing in the stubs
        return exclude if self.instance.pk is None else exclude - {"workspace"}
