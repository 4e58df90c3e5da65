"""The pictures of a letter, or of a Word file: made fit for mail one by one, as uploads are, and the others named."""

from dataclasses import dataclass, field

from ....errors import Invalid
from ....rendering.pictures import remake
from ..texts.sent_pictures import MOST, Came

#: Pixels of the shorter side. Below it stand the marks of signatures and social networks.
_SMALLEST = 120
#: Each takes up to a second: a letter of a hundred of them is not read to its end.
_MOST_TRIED = 2 * MOST


@dataclass
class MailPictures:
    """What was taken in of one letter or file, and the names of the files that were left.

    Not for use inside `transaction()`: each picture is read in a process of its own.
    """

    came: list[Came] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def take(self, name: str, content: bytes, alt: str = "") -> None:
        """Take one in, from the file called `name`; the same picture again is the one that is there."""
        if len(self.came) >= MOST or len(self.came) + len(self.left) >= _MOST_TRIED:
            self.left.append(name)
            return
        try:
            made = remake(content)
        except Invalid:
            self.left.append(name)
            return
        if any(one.picture.body == made.body for one in self.came):
            return
        if min(made.width, made.height) < _SMALLEST:
            self.left.append(name)
        else:
            self.came.append(Came(made, alt))
