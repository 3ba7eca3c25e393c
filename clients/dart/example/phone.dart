// Registers the phone after each sign-in, and when FCM gives it another token.
import 'package:firebase_messaging/firebase_messaging.dart';
import 'package:iyagi_client/iyagi_client.dart';

Future<void> registerPhone(DevicesApi devices, String id, DevicePlatform platform) async {
  Future<void> register(String token) => devices.registerDevice(
        id: id,
        deviceRegistration: DeviceRegistration((b) => b
          ..token = token
          ..platform = platform),
      );
  FirebaseMessaging.instance.onTokenRefresh.listen(register);
  final token = await FirebaseMessaging.instance.getToken();
  if (token != null) await register(token);
}
