use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{Device, DeviceList, DeviceRegistration, NotificationPreferences};

const TAG: &str = "devices";

/// Operations on devices and notification preferences.
pub fn operations() -> Vec<Operation> {
    vec![list(), get(), put(), delete(), get_preferences(), put_preferences()]
}

fn list() -> Operation {
    Operation {
        method: "get",
        path: "/v1/devices",
        id: "listDevices",
        tag: TAG,
        summary: "List the caller's devices",
        description: "Returns the devices on which the caller is signed in and receives notifications, at most 20.",
        parameters: &[],
        body: None,
        responses: vec![Response::uncached(200, "The devices.", DeviceList::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn get() -> Operation {
    Operation {
        method: "get",
        path: "/v1/devices/{id}",
        id: "getDevice",
        tag: TAG,
        summary: "Get one of the caller's devices",
        description: "Returns 404 also if the device was removed: another account signed in on the phone, or FCM \
            invalidated the token.",
        parameters: &["DeviceId"],
        body: None,
        responses: vec![Response::uncached(200, "The device.", Device::name().into())],
        problems: &[400, 404],
        is_open: false,
    }
}

fn put() -> Operation {
    Operation {
        method: "put",
        path: "/v1/devices/{id}",
        id: "registerDevice",
        tag: TAG,
        summary: "Register a device",
        description: "The phone receives notifications for the caller, and for no other account. Send this request \
            after each sign-in, and when FCM gives the app another token. The body must have at most 16 KiB.",
        parameters: &["DeviceId"],
        body: Some(DeviceRegistration::name().into()),
        responses: vec![Response::uncached(200, "The registered device.", Device::name().into())],
        problems: &[400, 413],
        is_open: false,
    }
}

fn delete() -> Operation {
    Operation {
        method: "delete",
        path: "/v1/devices/{id}",
        id: "removeDevice",
        tag: TAG,
        summary: "Remove a device",
        description: "The phone receives no more notifications. Send this request before signing out. It may be \
            repeated.",
        parameters: &["DeviceId"],
        body: None,
        responses: vec![Response::no_content("The device is not registered.")],
        problems: &[400],
        is_open: false,
    }
}

fn get_preferences() -> Operation {
    Operation {
        method: "get",
        path: "/v1/notification-preferences",
        id: "getNotificationPreferences",
        tag: "notifications",
        summary: "Get the caller's notification preferences",
        description: "Returns the defaults if the caller has set none: all notifications, with sound.",
        parameters: &[],
        body: None,
        responses: vec![Response::uncached(200, "The preferences.", NotificationPreferences::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn put_preferences() -> Operation {
    Operation {
        method: "put",
        path: "/v1/notification-preferences",
        id: "setNotificationPreferences",
        tag: "notifications",
        summary: "Set the caller's notification preferences",
        description: "Replaces all preferences, for all devices. The body must have at most 16 KiB.",
        parameters: &[],
        body: Some(NotificationPreferences::name().into()),
        responses: vec![Response::uncached(200, "The new preferences.", NotificationPreferences::name().into())],
        problems: &[400, 413],
        is_open: false,
    }
}
