"""REST over Django REST framework. The host's `REST_FRAMEWORK` settings are neither used nor changed."""
