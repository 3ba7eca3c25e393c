// All notifications, page by page.
import 'package:iyagi_client/iyagi_client.dart';

Stream<InboxNotification> notifications(NotificationsApi api) async* {
  String? cursor;
  do {
    final page = (await api.listNotifications(limit: 50, cursor: cursor)).data!;
    yield* Stream.fromIterable(page.items);
    cursor = page.next;
  } while (cursor != null);
}
