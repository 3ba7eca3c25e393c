// An upload in parts. Keep the handle: with it, the upload is resumed after a restart, for three days.
import 'dart:convert';
import 'dart:math';
import 'dart:typed_data';

import 'package:crypto/crypto.dart';
import 'package:dio/dio.dart';
import 'package:iyagi_client/iyagi_client.dart';

String checksum(List<int> bytes) => base64.encode(sha256.convert(bytes).bytes);

Future<String> startUpload(UploadsApi uploads, Uint8List file, String idempotencyKey) async {
  final response = await uploads.startUpload(
    idempotencyKey: idempotencyKey,
    uploadRequest: UploadRequest((b) => b
      ..kind = MediaKind.photo
      ..contentType = ContentType.IMAGE_JPEG
      ..size = file.length
      ..checksum = checksum(file)
      ..visibility = ContentVisibility.followers
      ..inParts = true),
  );
  return response.data!.handle!;
}

/// Sends the parts that S3 does not have yet. Returns the id of the item.
Future<String> resumeUpload(
  UploadsApi uploads,
  Dio s3,
  String handle,
  Uint8List file,
  void Function(double sent) onProgress,
) async {
  final upload = (await uploads.getUpload(handle: handle)).data!;
  if (upload.way == UploadWay.done) return upload.mediaId;
  final size = upload.partSize!;
  final landed = upload.landed!.map((part) => part.number).toSet();
  for (var number = 1; number <= upload.parts!; number++) {
    if (!landed.contains(number)) {
      final bytes = Uint8List.sublistView(file, (number - 1) * size, min(number * size, file.length));
      final signed = await uploads.signUploadParts(
        id: upload.id,
        signPartsRequest: SignPartsRequest((b) => b
          ..handle = handle
          ..parts.add(UploadPart((p) => p
            ..number = number
            ..checksum = checksum(bytes)))),
      );
      final part = signed.data!.parts.single;
      await s3.put<void>(
        part.url,
        data: Stream.value(bytes),
        options: Options(headers: part.headers.toMap()),
        onSendProgress: (sent, _) => onProgress(((number - 1) * size + sent) / file.length),
      );
    }
    onProgress(min(number * size, file.length) / file.length);
  }
  final done = await uploads.completeUpload(
    id: upload.id,
    completeUploadRequest: CompleteUploadRequest((b) => b..handle = handle),
  );
  return done.data!.mediaId;
}
