import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { file_health_v1_health } from "../../gen/health/v1/health_pb.js";
import { file_otp_v1_otp_service } from "../../gen/otp/v1/otp_service_pb.js";

/** Adds server reflection (v1 and v1alpha), so that clients such as grpcurl need no proto file. */
export function addReflection(server: Server): void {
  const files = [file_otp_v1_otp_service, file_health_v1_health].reduce(withDependencies, new Set<DescFile>());
  new ReflectionService({ all: describe([...files]) }).addToServer(server);
}

/**
 * Wraps file descriptors the way proto-loader does, which is the format that the reflection service takes. It reads only the
 * descriptors. proto-loader itself would rename the files and lose their imports.
 */
function describe(files: readonly DescFile[]): ConstructorParameters<typeof ReflectionService>[0][string] {
  const fileDescriptorProtos = files.map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  const format = "Protocol Buffer 3 DescriptorProto";
  return { format, type: {}, fileDescriptorProtos };
}

function withDependencies(found: Set<DescFile>, file: DescFile): Set<DescFile> {
  return file.dependencies.reduce(withDependencies, found).add(file);
}
