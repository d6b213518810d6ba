"""What administrators see of the classifier in Django's administration: to look at, not to change."""

from django.contrib import admin
from django.http import HttpRequest

from classifier.models import Category, ModelRelease, Work


class _ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(ModelRelease)
class ModelReleaseAdmin(_ReadOnly):
    list_display = ["label", "state", "is_demonstration", "activated_at"]


@admin.register(Category)
class CategoryAdmin(_ReadOnly):
    list_display = ["name", "state", "parent", "merged_into"]
    list_filter = ["state"]
    search_fields = ["name"]


@admin.register(Work)
class WorkAdmin(_ReadOnly):
    list_display = ["image_id", "kind", "queue", "state", "attempts", "error_code", "updated_at"]
    list_filter = ["state", "queue", "kind", "error_code"]
    show_full_result_count = False
