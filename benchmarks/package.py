"""What is uploaded for the functions: size of code and layer, zipped, and the machine they were built for.

    uv run python -m benchmarks.package

Builds the layer for arm64 Linux as a deployment would (the first time it needs the package index), zips both
and reads the archives back: the machine field of every native library and the tags of every wheel. Ends
with 1 when the two together are above 30 MB or a part would not run on arm64.
"""

import sys
import tempfile
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from infrastructure.archives import MOST_BYTES, foreign_parts, native_libraries, wheel_tags, zipped
from infrastructure.packaging import Layer, function_code


def staged(code: lambda_.Code, folder: Path) -> Path:
    """The folder that would be uploaded, as a synthesis stages it."""
    app = App(outdir=str(folder), analytics_reporting=False)
    lambda_.LayerVersion(Stack(app, "Package"), "Package", code=code)
    app.synth()
    (asset,) = folder.glob("asset.*")
    return asset


def main() -> int:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        code = zipped(staged(function_code(), work / "code"), work / "code.zip")
        layer = zipped(staged(Layer(cloud=True).code(), work / "layer"), work / "layer.zip")
        sizes = {"code": code.stat().st_size, "layer": layer.stat().st_size}
        total = sum(sizes.values())
        for what, size in sizes.items():
            print(f"{what:<8} {size / 1e6:6.2f} MB zipped")
        print(f"{'together':<8} {total / 1e6:6.2f} MB, at most {MOST_BYTES / 1e6:.2f} MB")
        libraries = [*native_libraries(code), *native_libraries(layer)]
        foreign = [*foreign_parts(code), *foreign_parts(layer)]
        print(f"{len(libraries)} native libraries, {len(wheel_tags(layer))} wheels; for other machines:")
        print("\n".join(f"  {part}" for part in foreign) or "  none")
    return int(bool(foreign) or total > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
